import Documents
import SystemSupport
import WorkflowFiles
import WorkflowPlanning

/// A step or task on its way: the calls that it becomes, one or as many as its loop has items, and how far each is.
struct CallSite: Sendable {
    struct Call: Sendable {
        enum State: Sendable {
            /// Not begun: perhaps no more may run at a time.
            case waiting
            case begun
            /// It is over, and so are its hooks.
            case settled
        }

        let nodeName: String
        let nodeID: String
        /// The step or task with its tags replaced.
        let document: JSONValue
        var state = State.waiting
    }

    let name: String
    /// As written, the template's own tags replaced.
    let document: JSONValue
    /// Its place below the list of steps or tasks.
    let part: DocumentPart?
    let hooks: [Hook]
    /// Nil: it has not been reached.
    var calls: [Call]?
    /// The node that stands for all calls of a loop; nil where there is none.
    var groupID: String?
    /// In a dry run: whether nobody knows yet if it is run.
    var isUncertain = false

    init(_ document: JSONValue, _ part: DocumentPart?) {
        self.document = document
        self.part = part
        name = document["name"]?.string ?? ""
        hooks = Hook.all(of: document)
    }

    /// Whether what comes after it goes on although it ended so.
    func continues(after phase: NodePhase) -> Bool {
        let field = phase == .failed ? "failed" : "error"
        return phase.isFailure && document["continueOn"]?[field]?.bool == true
    }
}

/// How far a node of steps or tasks has come.
struct Frame: Sendable {
    let execution: Execution
    let own: String
    var sites: [CallSite]
    var scope: Scope
    /// Which call a node is of.
    var places: [String: (site: Int, call: Int)] = [:]
    /// Sites with calls that have not begun.
    var deferred: [Int] = []
    /// Calls that have begun and are not settled.
    var open = 0
    let order: Order

    enum Order: Sendable {
        case steps(groups: [Range<Int>])
        case tasks(TaskOrder)
    }

    /// Steps: the group that runs, or is next.
    var current = 0
    /// Tasks: how many of those that each depends on are not over.
    var awaited: [Int] = []
    /// Tasks that may be decided about, those that are reached first last.
    var ready: [Int] = []
    /// Tasks that are over, in the order of their end.
    var settled: Set<Int> = []

    /// What the nodes of its calls belong to.
    func entry(_ site: CallSite) -> Entry {
        var entry = Entry()
        entry.boundary = own
        entry.stepVariable = "\(scope.word).name"
        entry.site = site.part
        entry.isOnExit = execution.isOnExit
        entry.isUncertain = execution.entry.isUncertain || site.isUncertain
        return entry
    }
}
