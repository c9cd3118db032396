"""`python -m diabolo` is `diabolo`; torchrun starts it so."""

from diabolo.cli import main

if __name__ == "__main__":
    main()
