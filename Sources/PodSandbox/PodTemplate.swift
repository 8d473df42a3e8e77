package import Documents
import SystemSupport

/// The template that a step's pod carries.
package enum PodTemplate {
    /// The template's text: of a variable, or of a config map where it was too large for one; nil where it is nowhere.
    ///
    /// - Throws: `SystemError` for a config map that cannot be read.
    package static func text(of pod: JSONValue, objects: ObjectFolders) throws -> [UInt8]? {
        let containers = ["initContainers", "containers"].flatMap { pod["spec"]?[$0]?.array ?? [] }
        let name = EnvironmentVariable.template.rawValue
        let variable = containers.flatMap { $0["env"]?.array ?? [] }.first { $0["name"]?.string == name }
        guard let text = variable?["value"]?.string else { return nil }
        if text != "offloaded" { return Array(text.utf8) }
        for volume in pod["spec"]?["volumes"]?.array ?? [] {
            guard let map = volume["configMap"]?["name"]?.string,
                let bytes = try objects.value(of: .configMap, map, key: BytePath(name))
            else { continue }
            return bytes
        }
        return nil
    }
}
