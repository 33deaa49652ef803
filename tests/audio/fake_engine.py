"""The engine process with the fake workshop, for tests over real pipes."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import fake

    from ddsp_studio.audio.engine import main

    sys.exit(main(sys.argv[1:], fake.FakeWorkshop()))
