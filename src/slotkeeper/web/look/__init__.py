"""How pages look: drawing them, the languages that they speak, their colours, and the files that they load."""
