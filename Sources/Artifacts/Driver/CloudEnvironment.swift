package import SystemSupport

/// What the environment says of one cloud, as values.
package protocol CloudSettings: Sendable {
    init(_ environment: Environment)
}

/// What the environment says of clouds. Each driver takes its own part, as a type that only it knows.
package struct CloudEnvironment: Sendable {
    private let environment: Environment
    /// By the type; those that were set in place of what the environment says.
    private var settings: [ObjectIdentifier: any CloudSettings] = [:]

    package init(_ environment: Environment = Environment([:])) { self.environment = environment }

    package subscript<Settings: CloudSettings>(_ type: Settings.Type) -> Settings {
        get { settings[ObjectIdentifier(type)] as? Settings ?? Settings(environment) }
        set { settings[ObjectIdentifier(type)] = newValue }
    }
}
