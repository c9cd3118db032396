"""Of a model that has not learned the doctor says that, and no finer points."""

import torch

from diabolo import fit, zoo
from diabolo.data import load
from diabolo.doctor import diagnose
from diabolo.doctor.diagnosis import FINER, SYMPTOMS, without_finer_points
from diabolo.doctor.patient import Patient
from diabolo.doctor.symptom import Illness, Remedy


def run_of(tmp_path, epochs, lr=1e-5):
    data = load("digits", n_train=300, n_test=100)
    torch.manual_seed(0)
    model = zoo.undercomplete(data[0].shape, latent_dim=8, hidden=(32,))
    return fit(model, *data, epochs=epochs, lr=lr, batch_size=25, out=tmp_path, quiet=True), data


def illness(name):
    return Illness(name, "so it is", Remedy("something"))


def test_finer_points_are_of_models_that_have_learned(tmp_path):
    run, data = run_of(tmp_path, 1)
    patient = Patient.admit(run, data)
    blurry, grave = illness("blurry reconstructions"), illness("overfitting")
    assert without_finer_points(patient, [blurry, grave]) == (grave,)
    (only,) = without_finer_points(patient, [blurry])
    assert only.name == "nothing learned"
    assert "of that of the mean training image, and at most 90 % is asked for" in only.evidence
    assert "--epochs" in only.remedy.words
    assert not {one.name for one in diagnose(run, data)} & set(FINER)
    good = Patient.admit(run_of(tmp_path, 30, 5e-3)[0], data)
    assert without_finer_points(good, [blurry, grave]) == (blurry, grave)
    assert without_finer_points(good, []) == ()


def test_a_model_that_has_not_learned_is_never_called_healthy(tmp_path, monkeypatch):
    run, data = run_of(tmp_path, 1)
    for name in list(SYMPTOMS):
        monkeypatch.setitem(SYMPTOMS, name, lambda patient: None)
    (found,) = diagnose(run, data).illnesses
    assert found.name == "nothing learned"


def test_images_that_are_gone_leave_the_rest(tmp_path):
    run, _ = run_of(tmp_path, 1)
    gone = Patient(run, "its images cannot be had")
    assert without_finer_points(gone, [illness("blurry reconstructions")])[0].name == "blurry reconstructions"
