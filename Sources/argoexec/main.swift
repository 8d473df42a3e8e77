import ExecutorCommands
import ExecutorCore
import Glibc

exit(ExecutorProgram.run(Array(ProcessArguments.current().dropFirst())))
