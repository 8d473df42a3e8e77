// WorkflowModel
