"""The door of live updates: tells an agent's open screens what to fetch again. Ids only, never words of customers."""
