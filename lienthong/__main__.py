"""`python -m lienthong` is the command too."""

from lienthong.main import main

if __name__ == "__main__":
    main()
