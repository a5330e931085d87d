"""What a call that is refused says."""


class Fault(Exception):
    """A refusal; where the surface leaves open which of several faults is named, all the texts that are right."""

    def __init__(self, code, *texts):
        super().__init__(texts[0])
        self.code = f"EV{code:03}"
        self.messages = {f"{self.code}: {text}" for text in texts}
