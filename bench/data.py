"""The data that is backed up: a sample of a real system, and random data with changed copies of it."""
import hashlib
import os
import random
import shutil


def real_files(root):
    for base, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = os.path.join(base, name)
            if os.path.islink(path) or os.path.isfile(path):
                yield path


def sample_of_system(folder, size_bytes, root="/usr"):
    """Files of `root` with their attributes, picked by their names, so that every run on one machine has
    the same ones, small and large. Returns bytes and files."""
    sizes = {path: os.lstat(path).st_size for path in real_files(root)}
    picked = lambda path: hashlib.sha256(os.fsencode(path)).digest()
    total = count = 0
    for path in sorted(sizes, key=picked):
        if total >= size_bytes:
            break
        if sizes[path] > max(size_bytes // 10, 1 << 20):
            continue
        target = os.path.join(folder, os.path.relpath(path, "/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)
        total += sizes[path]
        count += 1
    for base, _, _ in os.walk(folder, topdown=False):
        if base != folder:
            shutil.copystat(os.path.join("/", os.path.relpath(base, folder)), base)
    return total, count


def copies_of_random(folder, size_bytes, seed=5):
    """A third random, a third the same again, a third of it shifted by some bytes and edited every 4 MiB."""
    chance = random.Random(seed)
    for name in ("original", "copy", "changed"):
        os.makedirs(os.path.join(folder, name))
    files, total = 63, 0
    for number in range(files):
        content = chance.randbytes(size_bytes // 3 // files)
        changed = bytearray(chance.randbytes(chance.randrange(1, 4096)) + content)
        for at in range(0, len(changed), 4 << 20):
            changed[at:at + 16] = chance.randbytes(chance.randrange(1, 64))
        for name, what in (("original", content), ("copy", content), ("changed", changed)):
            with open(os.path.join(folder, name, f"{number:02}"), "wb") as out:
                out.write(what)
            total += len(what)
    return total, 3 * files


def hide_some(folder, share, seed):
    """Takes this share of the files away; returns what show_again() needs to bring them back."""
    chance = random.Random(seed)
    hidden = []
    aside = folder + ".hidden"
    os.makedirs(aside)
    for path in list(real_files(folder)):
        if chance.random() < share:
            away = os.path.join(aside, str(len(hidden)))
            os.rename(path, away)
            hidden.append((path, away))
    return hidden


def show_again(hidden):
    for path, away in hidden:
        os.rename(away, path)
    if hidden:
        os.rmdir(os.path.dirname(hidden[0][1]))


def change_some(folder, share, seed):
    """Adds 100 random bytes to this share of the files."""
    chance = random.Random(seed)
    for path in real_files(folder):
        if os.path.islink(path) or chance.random() >= share:
            continue
        with open(path, "ab") as file:
            file.write(chance.randbytes(100))
