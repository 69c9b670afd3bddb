"""`python cli.py` is `tierwise`, for a checkout that is not installed."""
from engine.commands import main

if __name__ == "__main__":
    main()
