package import ExecutorCore
package import WorkflowModel

/// Where the template comes from (contract 01 §4).
package enum TemplateSource {
    /// The template's text: `ARGO_TEMPLATE` if it is set (the word `offloaded` names the mounted file), else the file in the run
    /// directory.
    ///
    /// - Throws: `StartFailure` with exit code 2.
    package static func text(_ environment: Environment, _ paths: ExecutorPaths) throws(StartFailure) -> [UInt8] {
        let file: BytePath
        switch environment[.template] {
        case "offloaded": file = paths.configuration.appending(BytePath(EnvironmentVariable.template.rawValue))
        case .some(let text): return Array(text.utf8)
        case .none: file = paths.runDirectory.appending("template")
        }
        do { return try SmallFile.read(file) } catch { throw .panic("read the template: \(error.message)") }
    }

    /// The parsed template.
    ///
    /// - Throws: `StartFailure` with exit code 2.
    package static func parse(_ text: [UInt8]) throws(StartFailure) -> Template {
        do { return try Template.load(from: text) } catch { throw .panic("parse the template: \(errorText(error))") }
    }
}
