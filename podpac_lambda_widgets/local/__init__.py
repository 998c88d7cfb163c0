"""The embedded AWS: an emulator in a process of its own, whose Lambda functions really run.

``emulator`` starts and stops it, ``session`` is what its user holds. The rest runs in the emulator's process:
``server`` is its main program, ``ministack_seam`` the one place that knows ministack's inside, ``gate`` what ministack
leaves out of HTTP, and ``pool``, ``environment``, ``runtime_api``, ``runtimes``, ``code_store``, ``process_output``,
``memory`` make Lambda's execution environments. ``sandbox`` and ``runtime_client`` run inside those: standard library
only.
"""
