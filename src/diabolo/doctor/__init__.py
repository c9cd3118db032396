"""The doctor reads a run, probes it on its images, and says in plain words what is wrong, the evidence, and what would mend it.

found = diabolo.doctor.diagnose("runs/0001-vae-mnist")
for illness in found:
    print(illness.name, illness.evidence, illness.remedy.command)

One illness is one function (`symptom.py`); they stand by subject in `course`, `outcome` and `samples`.
"""

from diabolo.doctor.diagnosis import Visit, diagnose
from diabolo.doctor.patient import Patient, UnseenError
from diabolo.doctor.symptom import SYMPTOMS, Illness, Remedy, symptom

__all__ = ["SYMPTOMS", "Illness", "Patient", "Remedy", "UnseenError", "Visit", "diagnose", "symptom"]
