// RunDirectory
