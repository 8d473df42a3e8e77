import FileTrees
import Glibc
import RunDirectory
import SystemSupport
import WorkflowModel

/// Reads output parameters from the files that the step has left (contract 02 §6.2).
struct ParameterCollector: Sendable {
    let step: StepContext
    private var settings: ExecutorSettings { step.settings }

    /// A parameter that is there, but larger than may be: no default takes its place.
    private struct TooLarge: Error { let path: BytePath }

    /// All parameters of the template, with the values found; one that has no value and no default does not stop the others.
    ///
    /// - Returns: and the errors, as one.
    func collect() -> ([Parameter], (any Error)?) {
        var errors: [String] = []
        let parameters = step.template.outputs.parameters.map { parameter -> Parameter in
            guard let source = parameter.valueFrom, !source.path.isEmpty else { return parameter }
            do { return parameter.withValue(ResultText.parameter(try value(at: source.path))) } catch let error as TooLarge {
                errors.append(
                    "save output parameter '\(parameter.name)': read \(error.path): "
                        + "larger than the limit of \(RunDirectory.parameterLimit) bytes")
                return parameter
            } catch {
                if let fallback = source.defaultValue { return parameter.withValue(ResultText.parameter(Array(fallback.utf8))) }
                errors.append("save output parameter '\(parameter.name)': \(errorText(error))")
                return parameter
            }
        }
        return (parameters, errors.isEmpty ? nil : ExecutorError.failed(errors.joined(separator: "; ")))
    }

    /// Errors name the path as the step knows it, or the file in its folder.
    private func value(at path: String) throws -> [UInt8] {
        let cleaned = BytePath(try PathRules.cleanPath(path))
        do { return try read(cleaned) } catch let error as SystemError {
            throw SystemError(error.operation, settings.paths.shown(cleaned).text, error.code)
        }
    }

    private func read(_ cleaned: BytePath) throws -> [UInt8] {
        switch PathRules.origin(ofOutput: cleaned.text, in: step.template, isInitless: settings.isInitless) {
        case .baseImage where !settings.paths.mirrorsEverything:
            // The user's code can write there too: no link is followed.
            let directory = step.directory
            let handOver = directory.parameterHandOver(cleaned)
            return try content(of: try directory.place().openFile(directory.relative(handOver)), cleaned)
        case .baseImage, .mirror:
            return try content(of: try settings.paths.mirrorPlace().openFile(cleaned.belowRoot), cleaned)
        }
    }

    private func content(of file: consuming Descriptor, _ path: BytePath) throws -> [UInt8] {
        do throws(SystemError) {
            return try DescriptorIO.readAll(file.raw, limit: RunDirectory.parameterLimit, subject: path.text)
        } catch {
            guard error.code == EFBIG else { throw error }
            throw TooLarge(path: path)
        }
    }
}
