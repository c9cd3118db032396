"""A bound in plain PyTorch, as `diabolo.bounds.held` has it: from beyond it there is a way back."""

HELD = '''def held(x, low, high=float("inf")):
    """x within [low, high]. From beyond, a step against the gradient leads back in; clamp has no gradient there."""
    x = x + 0
    if x.requires_grad:
        x.register_hook(
            lambda g: g.masked_fill(((x < low) & (g > 0)) | ((x > high) & (g < 0)), 0.0)
        )
    return x + (x.clamp(low, high) - x).detach()'''


def helpers(*texts: str) -> list[str]:
    """The function, where one of the `texts` calls it."""
    return [HELD] if any("held(" in text for text in texts) else []
