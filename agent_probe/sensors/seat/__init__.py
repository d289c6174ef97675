"""The heartbeat of a seat or a gateway: alive, and when to expect the next."""

from agent_probe.sensors.seat.sensor import HeartbeatSensor, Load, Measured

__all__ = ["HeartbeatSensor", "Load", "Measured"]
