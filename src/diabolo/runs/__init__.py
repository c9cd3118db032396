"""Run folders: numbered, readable without diabolo, and never half-written.

runs/0007-vae-mnist/
    config.json          everything that defines the run, fully resolved
    metrics.jsonl        one line an epoch
    steps.jsonl          one line every so many steps, where that was asked for
    progress/            samples and reconstructions every so many epochs, where that was asked for
    model.safetensors    the weights kept
    best.safetensors     the weights of the lowest validation loss, when there was validation
    checkpoint/          everything needed to go on bit-exactly
    figures/             drawn after training, with figures.json beside it once all of them are
    .lock                while a process writes into it: which one

A run is seen once config and first checkpoint are whole, so that whatever is seen can be gone on with (`folders`). All weights
carry a checksum (`files`), and one process at a time writes (`lock`).
"""
