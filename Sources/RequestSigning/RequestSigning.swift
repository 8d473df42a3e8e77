// RequestSigning
