"""How a row came about: its document, prompts, answers and filters, made out from what the run left."""
