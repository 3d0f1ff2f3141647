"""Language models on multiple-choice questions: what each answers, and whether one lost ability against another."""
