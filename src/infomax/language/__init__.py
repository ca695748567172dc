"""Language models with huge vocabularies: corpora, models, training, exact perplexity."""
