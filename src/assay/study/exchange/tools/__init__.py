"""The files of the tools people judge in: each module writes one tool's tasks and reads its replies."""

from assay.study.exchange.tools.task_form import Form, Reply, Task, form_of, task_of

__all__ = ["Form", "Reply", "Task", "form_of", "task_of"]
