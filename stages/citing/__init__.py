"""Citations of what a client has shown: sources in numbered pieces, and the marks by which a model names them.

The upstream cites no documents, so the model is asked for it: it is shown each source in pieces with numbers, and puts
marks that name them around its own words.  What a citation says of a source is looked up here, so that it is the
source's own text at its true place; that the words rest on it is the model's word, as it is with Anthropic's models.
"""
