"""Other registers of this software: watched, verified, harvested in rounds, shown."""
