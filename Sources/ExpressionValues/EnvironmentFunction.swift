/// A function of the environment in which the controller evaluates expressions.
package enum EnvironmentFunction: Sendable, Equatable {
    case asInt
    case asFloat
    case toJson
    case jsonpath
    /// All of sprig's, by name: `sprig.trim`.
    case sprigGroup
    case sprig(SprigFunction)
}
