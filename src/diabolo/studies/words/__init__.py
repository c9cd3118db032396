"""The sentences of the studies: each function takes what was measured, and says what that means in every case."""
