// ExecutorCommands
