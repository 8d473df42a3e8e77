// Emissary
