"""Everything that payments write. One function for each thing a person, the clock or the network can do."""
