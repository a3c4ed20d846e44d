"""Other registers of this software: watched, verified, harvested. Only edges import it."""
