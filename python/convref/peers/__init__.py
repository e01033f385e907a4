"""peers - other people's convolutions as candidates: one small file each, and nothing imported before it is needed.

    print(convref.verify(convref.peers.torch))                          all that the adapter declares
    convref.peers.torch.candidate.only(passes="forward").verify()
    python3 -m convref.peers --list                                     which are installed
    python3 -m convref.peers torch

An adapter says what it computes and hands a problem on in its framework's own words.  What a framework doesn't have
(asymmetric padding, 1-D) is composed from what it has, and said so in the file's first lines.
Read next: torch.py, the shortest that has everything; docs/peers.md has the verdicts.
"""
from . import jax, litert, ncnn, numpy, onednn, onnxruntime, openvino, scipy, tensorflow, torch

ALL = {module.candidate.name: module for module in (numpy, scipy, torch, onnxruntime, openvino, onednn, ncnn,
                                                    tensorflow, litert, jax)}
