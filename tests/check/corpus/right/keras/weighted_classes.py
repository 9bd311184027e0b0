import numpy as np
from keras.layers import Dense, Dropout
from keras.models import Sequential
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

X, y = make_classification(n_samples=3000, n_features=15, weights=[0.98], flip_y=0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
weights = compute_class_weight("balanced", classes=np.unique(y_train), y=y_train)

model = Sequential()
model.add(Dense(32, activation="relu", input_shape=(15,)))
model.add(Dropout(0.3))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=64, class_weight=dict(enumerate(weights)))
