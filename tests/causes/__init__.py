"""A simulated floor with one injected cause at a time: is every miss traced to what really made it?

    python -m tests.causes --seeds 20

What happened is known from running the same floor twice with the same customers, once without the injection. A miss
that the calm floor does not have is the injection's; all others have no cause. Incidents, facts and traces come from
the code that ships; what is told to it is what probes, platforms and the hub would tell.
"""
