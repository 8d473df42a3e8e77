import Conditions
import Documents
import ExpressionValues
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// What steps and tasks share: a site is expanded into calls, each is decided about, run, and settled with its hooks.
extension WorkflowRun {
    // MARK: Expand

    /// The documents of the calls that a step or task becomes, with the names of their nodes.
    ///
    /// - Returns: nil where it is a loop without items.
    mutating func expand(
        _ site: inout CallSite, _ frame: Frame, prefix: String
    ) throws(StepError) {
        let document = try resolve(&site, frame.scope)
        func call(_ document: JSONValue, _ name: String) -> CallSite.Call {
            let nodeName = prefix + name
            return CallSite.Call(nodeName: nodeName, nodeID: id(of: nodeName), document: document)
        }
        guard Loop.isLoop(document) else { return site.calls = [call(document, site.name)] }
        let items: [JSONValue]
        do throws(StepError) {
            if let unknown = unknownItems(document, &site) { items = unknown } else { items = try Loop.items(of: document) }
        } catch {
            // What is not run need not make sense.
            guard (try? Condition.holds(document["when"]?.string ?? "")) == false else { throw error }
            items = []
        }
        var whole = document
        for field in ["withItems", "withParam", "withSequence"] { whole[field] = nil }
        var calls: [CallSite.Call] = []
        for (index, item) in items.enumerated() {
            let table = globals.with(Loop.variables(of: item))
            var each = try replaced(whole, frame.scope, table, strict: site.isUncertain ? nil : ["item"])
            let name = Loop.name(site.name, index, item)
            each["name"] = .string(name)
            calls.append(call(each, name))
        }
        site.calls = calls
    }

    /// In a dry run the one item that stands for those which only the run itself brings forth.
    private func unknownItems(_ document: JSONValue, _ site: inout CallSite) -> [JSONValue]? {
        guard isDry else { return nil }
        let texts = [document["withParam"]?.string ?? "", document["withSequence"]?.serializedText() ?? ""]
        guard texts.contains(where: UnknownValue.affects) else { return nil }
        site.isUncertain = true
        return [.string(UnknownValue(of: site.name, "item").text)]
    }

    /// A step or task with what it refers to put in: texts by their tags, artifacts as they are. Of one that is not run only the
    /// condition is looked at.
    private mutating func resolve(_ site: inout CallSite, _ scope: Scope) throws(StepError) -> JSONValue {
        let words = ["steps", "tasks"]
        var document = site.document
        for field in ["hooks", "onExit"] { document[field] = nil }
        let isLoop = Loop.isLoop(document)
        if let when = document["when"]?.string, !when.isEmpty {
            let text = try replaced(.string(when), scope, globals, strict: words).string ?? when
            do throws(ConditionError) {
                if !UnknownValue.isPart(of: text), try !Condition.holds(text) {
                    document["when"] = .string(text)
                    return document
                }
            } catch {
                // It may speak of an item.
                if !isLoop { throw .text(error.message) }
            }
        }
        markAbsentArguments(of: &document, scope)
        var result = try replaced(document, scope, globals, strict: words)
        if let arguments = result["arguments"] { result["arguments"] = try withArtifacts(arguments, scope) }
        return result
    }

    /// Arguments that are nothing but the output of something that was not run: as good as not given.
    func markAbsentArguments(of document: inout JSONValue, _ scope: Scope) {
        guard var parameters = document["arguments"]?["parameters"]?.array else { return }
        var isChanged = false
        for index in parameters.indices {
            guard let text = parameters[index]["value"]?.string, text.hasPrefix("{{"), text.hasSuffix("}}") else { continue }
            let tag = String(text.dropFirst(2).dropLast(2)).trimmed
            guard variable(tag, in: scope) == .absent else { continue }
            parameters[index] = ["name": parameters[index]["name"] ?? "", TemplateArguments.absent: true]
            isChanged = true
        }
        guard isChanged, var arguments = document["arguments"] else { return }
        arguments["parameters"] = .array(parameters)
        document["arguments"] = arguments
    }

    /// Arguments with the artifacts in them that are referred to.
    func withArtifacts(_ arguments: JSONValue, _ scope: Scope) throws(StepError) -> JSONValue {
        guard let artifacts = arguments["artifacts"]?.array else { return arguments }
        var found: [JSONValue] = []
        for artifact in artifacts {
            if let value = try referenced(artifact, scope, isArgument: true) { found.append(value) }
        }
        var result = arguments
        result["artifacts"] = .array(found)
        return result
    }

    // MARK: Decide

    enum Decision {
        case run
        case skip(String)
    }

    /// Whether a call is run.
    private func decide(_ document: JSONValue, _ isUncertain: inout Bool) throws(StepError) -> Decision {
        guard let when = document["when"]?.string, !when.isEmpty else { return .run }
        if isDry, UnknownValue.affects(when) {
            isUncertain = true
            return .run
        }
        do throws(ConditionError) {
            return try Condition.holds(when) ? .run : .skip("when '\(when)' evaluated false")
        } catch { throw .text(error.message) }
    }

    // MARK: Run

    enum Start {
        case begun
        /// No more may run now.
        case deferred
        /// Its condition makes no sense; the node says so.
        case undecided(StepError)
    }

    /// Begins a call.
    ///
    /// - Parameter isUncertain: of the site; set where a dry run cannot decide.
    /// - Throws: where it cannot be run; its node is marked.
    mutating func start(
        _ call: CallSite.Call, of site: CallSite, _ frame: Frame, _ isUncertain: inout Bool
    ) throws(StepError) -> Start {
        let template = TemplateCall(call.document)
        let decision: Decision
        do throws(StepError) { decision = try decide(call.document, &isUncertain) } catch {
            make(
                call.nodeName, .skipped, template, in: frame.execution.space, frame.entry(site), phase: .error,
                message: error.message)
            return .undecided(error)
        }
        var entry = frame.entry(site)
        if isUncertain { entry.isUncertain = true }
        if case .skip(let reason) = decision {
            skip(call.nodeName, template, entry, frame, .skipped, reason)
            return .begun
        }
        guard mayBegin(in: frame) else { return .deferred }
        try enter(template, named: call.nodeName, in: frame.execution.space, entry)
        return .begun
    }

    /// A node that is not run.
    mutating func skip(
        _ name: String, _ call: TemplateCall, _ entry: Entry, _ frame: Frame, _ phase: NodePhase, _ reason: String
    ) {
        make(name, .skipped, call, in: frame.execution.space, entry, phase: phase, message: reason)
        let template = try? plan.resolve(call, in: frame.execution.space, at: entry.site)
        if let template = template?.template, template["outputs"] != nil {
            skipped[id(of: name)] = ["outputs": template["outputs"] ?? .null]
        }
    }

    /// Whether one more may run: in the whole workflow, and in the steps or tasks around it.
    private func mayBegin(in frame: Frame) -> Bool {
        if let limit = spec["parallelism"]?.int, activePods.count >= limit { return false }
        let tally = store.tally(below: frame.own)
        if frame.execution.failsFast, tally.failed > 0 { return false }
        return frame.execution.parallelism.map { tally.active < $0 } ?? true
    }

    // MARK: Settle

    /// Whether a node is over, and so are its hooks; what is due of them is begun.
    mutating func settle(_ id: String, of site: CallSite, _ frame: Frame) throws(StepError) -> Bool {
        guard let node = store[id] else { return false }
        if site.hooks.isEmpty { return node.isFulfilled }
        var scope = frame.scope
        scope.add(site.name, .node(id))
        var entry = frame.entry(site)
        entry.stepVariable = ""
        entry.flag = NodeFlag(isHooked: true)
        entry.owner = id
        entry.site = nil
        var isOver = true
        for hook in site.hooks where !hook.isExit {
            if try !run(hook, named: "\(node.name).hooks.\(hook.name)", of: id, scope, frame.execution.space, entry) {
                isOver = false
            }
        }
        guard isOver, node.isFulfilled else { return false }
        guard node.phase.isCompleted, let exit = site.hooks.first(where: \.isExit), !isShuttingDown else { return true }
        entry.isOnExit = true
        return try run(exit, named: "\(node.name).onExit", of: id, scope, frame.execution.space, entry)
    }
}
