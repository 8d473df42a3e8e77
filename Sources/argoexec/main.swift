import ExecutorCommands
import SystemSupport

ProcessEnd.exit(ExecutorProgram.run(Array(ProcessArguments.current().dropFirst())))
