"""Graphics cards that nobody has: what they are called, and plausible values of their fields."""
import hashlib
import math
import os
from dataclasses import dataclass

MEMORY_MIB = 23034
RESERVED_MIB = 470
IDLE_WATTS, BUSY_WATTS = 16.0, 72.0
# Seconds from one busy time to the next.
PERIOD = 120


@dataclass(frozen=True)
class Card:
    index: int
    name: str
    driver: str

    @property
    def uuid(self):
        digest = hashlib.sha256(f"ragdock stand-in {self.index}".encode()).hexdigest()
        return "GPU-" + "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))

    def values(self, uptime):
        """Fields by name, as text, after so many seconds. A field that such a card does not have is not there."""
        load = max(0.0, math.sin(2 * math.pi * uptime / PERIOD + self.index))
        used = int((MEMORY_MIB - RESERVED_MIB) * (0.05 + 0.8 * load))
        # The integral of the power would be exact; nobody compares the two.
        energy = int(1000 * uptime * (IDLE_WATTS + (BUSY_WATTS - IDLE_WATTS) * 0.3))
        values = {
            "DCGM_FI_DEV_SM_CLOCK": 210 + int(1830 * load),
            "DCGM_FI_DEV_MEM_CLOCK": 405 + int(5846 * load),
            "DCGM_FI_DEV_MEMORY_TEMP": 0,
            "DCGM_FI_DEV_GPU_TEMP": 31 + int(35 * load),
            "DCGM_FI_DEV_POWER_USAGE": f"{IDLE_WATTS + (BUSY_WATTS - IDLE_WATTS) * load:f}",
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": energy,
            "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": 0,
            "DCGM_FI_DEV_GPU_UTIL": int(100 * load),
            "DCGM_FI_DEV_MEM_COPY_UTIL": int(60 * load),
            "DCGM_FI_DEV_ENC_UTIL": 0,
            "DCGM_FI_DEV_DEC_UTIL": 0,
            "DCGM_FI_DEV_FB_FREE": MEMORY_MIB - RESERVED_MIB - used,
            "DCGM_FI_DEV_FB_USED": used,
            "DCGM_FI_DEV_FB_RESERVED": RESERVED_MIB,
            "DCGM_FI_DEV_VGPU_LICENSE_STATUS": 0,
            "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": 0,
            "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": 0,
            "DCGM_FI_DEV_ROW_REMAP_FAILURE": 0,
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE": f"{load:f}",
            "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": f"{load / 2:f}",
            "DCGM_FI_PROF_DRAM_ACTIVE": f"{load / 3:f}",
            "DCGM_FI_PROF_PCIE_TX_BYTES": int(112603 * (1 + load)),
            "DCGM_FI_PROF_PCIE_RX_BYTES": int(17544 * (1 + load)),
        }
        # A card that had no error has no last one.
        error = os.environ.get("DCGM_STAND_IN_XID")
        return {**values, "DCGM_FI_DEV_XID_ERRORS": error} if error else values


def cards_given():
    """The cards of the machine that this container may see, as NVIDIA's runtime reads it; none without a word."""
    machine = [
        Card(index, os.environ.get("DCGM_STAND_IN_MODEL", "NVIDIA L4"), "580.105.08")
        for index in range(int(os.environ.get("DCGM_STAND_IN_CARDS", "1")))
    ]
    visible = os.environ.get("NVIDIA_VISIBLE_DEVICES", "void")
    if visible == "all":
        return machine
    if visible in ("", "void", "none"):
        return []
    wanted = visible.split(",")
    # In a container they are counted anew.
    seen = [card for card in machine if str(card.index) in wanted or card.uuid in wanted]
    missing = [name for name in wanted if not any(name in (str(card.index), card.uuid) for card in machine)]
    if missing:
        raise SystemExit(f"the stand-in's machine has no card {', '.join(missing)}")
    return seen
