"""The recognizers that ship with casecoder, one family a module; `nlp.redaction.registry` knows them all."""
