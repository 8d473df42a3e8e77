import Glibc
import RunDirectory
package import SystemSupport
package import WorkflowModel

/// Where the template comes from (contract 01 §4).
package enum TemplateSource {
    /// The template's text: `ARGO_TEMPLATE` if it is set (the word `offloaded` names the mounted file), else the file in the run
    /// directory.
    ///
    /// - Throws: `StartFailure` with exit code 2.
    package static func text(_ environment: Environment, _ paths: ExecutorPaths) throws(StartFailure) -> [UInt8] {
        do {
            switch environment[.template] {
            case "offloaded":
                let file = paths.configuration.appending(BytePath(EnvironmentVariable.template.rawValue))
                return try SmallFile.read(file, limit: RunDirectory.templateLimit)
            case .some(let text): return Array(text.utf8)
            case .none:
                let directory = RunDirectory(root: paths.runDirectory)
                let end = monotonicNanoseconds() + RunDirectory.templatePatience
                while directory.isTemplateNoFile, monotonicNanoseconds() < end { usleep(100_000) }
                guard let text = try directory.readTemplate() else {
                    throw SystemError("open", directory.template.text, ENOENT)
                }
                return text
            }
        } catch { throw .panic("read the template: \(errorText(error))") }
    }

    /// The parsed template.
    ///
    /// - Throws: `StartFailure` with exit code 2.
    package static func parse(_ text: [UInt8]) throws(StartFailure) -> Template {
        do { return try Template.load(from: text) } catch { throw .panic("parse the template: \(errorText(error))") }
    }
}
