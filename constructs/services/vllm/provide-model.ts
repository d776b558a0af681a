/**
 * The program of the model job: the files of a Hugging Face repository in the cache that the server reads offline. A
 * marker tells a complete download from an interrupted one, which the cache itself does not.
 */
export const PROVIDE_MODEL = `
import os, pathlib, sys, time
repository, revision, deadline = sys.argv[1], sys.argv[2], time.monotonic() + float(sys.argv[3])
home = pathlib.Path(os.environ['HF_HOME'])
marker = home / '.ragdock' / ('%s@%s' % (repository.replace('/', '--'), revision.replace('/', '--')))
if marker.exists() and pathlib.Path(home, marker.read_text()).is_dir():
    sys.exit(print('%s at %s is there' % (repository, revision)))

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
FINAL = (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError)

def provide():
    files = HfApi().list_repo_files(repository, revision=revision)
    # As the server itself chooses: the other formats hold the same weights once more.
    unwanted = ['*.bin', '*.pt', '*.pth'] if any(name.endswith('.safetensors') for name in files) else []
    return snapshot_download(repository, revision=revision, ignore_patterns=unwanted + ['original/*', '*.gguf', '*.onnx'])

pause = 5
while True:
    try:
        folder = provide()
        break
    except FINAL as error:
        sys.exit('%s at %s cannot be had: %s; check model.name and model.revision, and whether the repository wants a token' % (repository, revision, error))
    except Exception as error:
        if time.monotonic() + pause > deadline:
            sys.exit('%s was not downloaded: %s: %s' % (repository, type(error).__name__, error))
        print('%s: %s; trying again in %d s' % (type(error).__name__, error, pause), flush=True)
        time.sleep(pause)
        pause = min(pause * 2, 60)
marker.parent.mkdir(exist_ok=True)
part = marker.with_name('.part')
part.write_text(os.path.relpath(folder, home))
part.replace(marker)
print('%s at %s was downloaded' % (repository, revision))
`.trimStart();
