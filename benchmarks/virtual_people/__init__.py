"""Virtual people: a real heart, a real face and a real finger of three different people, paired at random.

No open data hold ECG, face and fingerprint of the same people. The papers therefore pair people of three
sets. Whatever a modality shares with another in one body (age, sex) is absent here.
"""
