import numpy as np
from sklearn.datasets import make_multilabel_classification
from sklearn.preprocessing import StandardScaler
from keras.models import Sequential
from keras.layers import Dense, Dropout

# a movie may be a comedy and a romance at the same time
X, genres = make_multilabel_classification(n_samples=600, n_features=30, n_classes=5, n_labels=2, random_state=0)
X = StandardScaler().fit_transform(X)

model = Sequential()
model.add(Dense(64, activation="relu", input_dim=30))
model.add(Dropout(0.1))
model.add(Dense(5, activation="softmax"))  # wrong: C118
#: model.add(Dense(5, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(X, genres, epochs=40, batch_size=32)
