"""What `diabolo` can do: a verb a file of this room."""

VERBS = {
    "quickstart": "Train PCA, an autoencoder and a VAE on real handwriting, and look at them: under two minutes.",
    "train": "Train a model: diabolo train vae --data mnist --latent-dim 16 --epochs 10.",
    "sweep": "Search the options of a model: diabolo sweep vae --search lr=log:1e-4..1e-2 --minimise validation/total.",
    "resume": "Go on with an interrupted run, or train a finished one for further epochs.",
    "fit-prior": "Fit a prior to the discrete codes of a trained model, so that it can be sampled from.",
    "evaluate": "How good a trained model is: what matters most, and every measure that applies on file.",
    "compare": "Several runs, or the trials of a sweep, side by side: numbers, a page, tables for a paper.",
    "doctor": "What is wrong with a run, how it shows, and the line that would mend it.",
    "explore": "Look into the latent space of a trained model: ways between images, units, directions, maps.",
    "look": "A trained model under your hand, in the browser: the decoder where the mouse is, units, pins, maps.",
    "sample": "New images from a trained model.",
    "reconstruct": "Image files in, their reconstructions out.",
    "encode": "Image files in, their codes out, as .npy, .csv or .parquet.",
    "score": "How unlike its training images each of further images is, with a threshold at a stated false-alarm rate.",
    "duplicates": "Which of further images are nearly the same: found by their codes, checked in their pixels.",
    "spread-labels": "From few labels to one for every training image, by neighbours among the codes of a trained model.",
    "study": "The five studies, from raw images to a finished report: diabolo study pca --quick.",
    "report": "Write up a run, a study or a sweep: Markdown, HTML, PDF, and a notebook that was run.",
    "unfold": "Write a run as a stand-alone script and notebook in plain PyTorch, without Diabolo.",
    "export": "Write a run as ONNX files or torch.export programs that work without Diabolo, checked against it.",
    "models": "The models that can be trained, their options and papers.",
    "data": "The data sets by name; 'data prepare NAME' fetches and decodes one.",
    "publish": "Put a model onto the Hugging Face Hub, with a card that says what was measured.",
    "track": "Pass the epochs of a run on to TensorBoard, MLflow, wandb or trackio, once it is trained or meanwhile.",
    "info": "What a run folder holds: model, data, options, and how far it came.",
}
EVERYWHERE = (
    "With every verb: --config FILE takes options from a YAML file (flags win); "
    "--trust PACKAGE lets run folders name code of that package (nothing outside diabolo is imported otherwise); "
    "--debug shows the traceback of a failure."
)
