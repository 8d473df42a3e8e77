package import Documents
package import SystemSupport
import WorkflowModel

/// The variables of a whole workflow (`workflow.…`).
package enum WorkflowVariables {
    /// The names that begin with `workflow.creationTimestamp`.
    package static var creationTimestampNames: [String] {
        Array(creationTimestamp(Timestamp(seconds: 0)).keys)
    }

    /// A point in time in the forms that tags can ask for: whole, in seconds, and each of its parts by its letter of strftime.
    package static func creationTimestamp(_ time: Timestamp) -> [String: String] {
        let (year, month, day, hour, minute, second) = time.fields
        let whole = time.rfc3339()
        let weekday = weekdays[(Timestamp.days(year: year, month: month, day: day) % 7 + 11) % 7]
        let hour12 = (hour + 11) % 12 + 1
        let parts = [
            "RFC3339": whole, "s": String(time.seconds), "B": months[month - 1], "b": String(months[month - 1].prefix(3)),
            "m": pad(month, 2), "A": weekday, "a": String(weekday.prefix(3)), "d": pad(day, 2), "H": pad(hour, 2),
            "I": pad(hour12, 2), "M": pad(minute, 2), "S": pad(second, 2), "Y": pad(year, 4), "y": pad(year % 100, 2),
            "p": hour < 12 ? "AM" : "PM", "Z": "UTC", "z": "+0000", "L": ".000",
        ]
        var variables = ["workflow.creationTimestamp": whole]
        for (name, value) in parts { variables["workflow.creationTimestamp.\(name)"] = value }
        return variables
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// A parameter's fields in the order in which the controller writes them, its texts as texts.
    package static func ordered(_ parameter: JSONValue) -> JSONValue {
        var result = JSONObject()
        for name in ["name", "default", "value", "valueFrom", "globalName", "enum", "description"] {
            guard let value = parameter[name], !value.isNull else { continue }
            switch name {
            case "default", "value", "description": result[name] = .string(AnyString.text(of: value) ?? "")
            case "globalName": if value.string != "" { result[name] = value }
            default: result[name] = value
            }
        }
        return .object(result)
    }

    /// A list of parameters as one JSON text; that of none is `null`, as the controller has it.
    package static func json(_ parameters: [JSONValue]) -> String {
        parameters.isEmpty ? "null" : JSONValue.array(parameters.map(ordered)).serializedText()
    }
}

extension WorkflowVariables {
    /// The variables that are known from the beginning.
    package static func all(
        _ plan: WorkflowPlan, _ identity: RunIdentity, labels: JSONObject, annotations: JSONObject
    ) -> [String: String] {
        var variables = creationTimestamp(identity.creationTimestamp)
        variables["workflow.name"] = identity.name
        variables["workflow.namespace"] = identity.namespace
        variables["workflow.uid"] = identity.uid
        variables["workflow.mainEntrypoint"] = plan.entrypoint
        variables["workflow.serviceAccountName"] = plan.spec["serviceAccountName"]?.string ?? ""
        if let priority = plan.spec["priority"]?.int { variables["workflow.priority"] = String(priority) }
        variables["workflow.scheduledTime"] = annotations["workflows.argoproj.io/scheduled-time"]?.string
        let parameters = plan.spec["arguments"]?["parameters"]?.array ?? []
        let list = json(parameters)
        variables["workflow.parameters"] = list
        variables["workflow.parameters.json"] = list
        for parameter in parameters {
            let name = "workflow.parameters.\(parameter["name"]?.string ?? "")"
            variables[name] =
                parameter["value"].flatMap { AnyString.text(of: $0) } ?? configMapValue(of: parameter, plan.settings)
        }
        for (name, object) in [("labels", labels), ("annotations", annotations)] {
            let whole = object.isEmpty ? "null" : JSONValue.object(object).serializedText(sortedKeys: true)
            variables["workflow.\(name)"] = whole
            variables["workflow.\(name).json"] = whole
            for member in object.members { variables["workflow.\(name).\(member.name)"] = member.value.string }
        }
        return variables
    }

    private static func configMapValue(of parameter: JSONValue, _ settings: RunSettings) -> String? {
        guard let source = parameter["valueFrom"], let selector = source["configMapKeyRef"] else { return nil }
        return settings.configMapValue(selector["name"]?.string ?? "", selector["key"]?.string ?? "")
            ?? source["default"].flatMap { AnyString.text(of: $0) }
    }

    /// The time between two points in seconds, with six digits.
    package static func seconds(from start: Timestamp, to end: Timestamp) -> String {
        let (whole, overflow) = end.seconds.subtractingReportingOverflow(start.seconds)
        let part = Int(end.nanoseconds) - Int(start.nanoseconds)
        guard !overflow, whole >= 0, whole > 0 || part >= 0 else { return "0.000000" }
        let micros = part < 0 ? (1_000_000_000 + part) / 1000 : part / 1000
        return "\(part < 0 ? whole - 1 : whole).\(pad(micros, 6))"
    }
}
