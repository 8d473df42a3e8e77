import ExecutorCommands
import Glibc
import SystemSupport

exit(ExecutorProgram.run(Array(ProcessArguments.current().dropFirst())))
