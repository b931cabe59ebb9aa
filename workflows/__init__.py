"""Models and their execution: definition + state + event → new state + commands, no I/O.

`definition.deploy(bytes)` judges and builds, `instance.start` and `instance.apply` run one step;
`commands` lists all that an instance can ask of the world. SpiffWorkflow is known here only.

    >>> from workflows.definition import deploy
    >>> deploy(b"<definitions/>").is_runnable
    False
"""
