"""A run as files that work without Diabolo: ONNX for onnxruntime in any language, or programs of torch.export, each with a
certificate of how far it is from the model.

graphs.py                        what can be exported of a model: functions of named tensors that can be traced
onnx_files.py, torch_files.py    a target each: how they are written, and how they are run
certificate.py                   how far what was written is from the model
writing.py                       the folder, whole or not there
"""

from diabolo.exporting.writing import export

__all__ = ["export"]
