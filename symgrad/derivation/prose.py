"""Questions of kind text: prose that the author wrote, which nothing checks."""

from symgrad.derivation.steps import Prose, Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The author's answer, word for word.

    Raises:
        QuestionError: there is none.
    """
    answer = question.word("answer")
    if answer is None or not answer.strip():
        raise QuestionError("the question has no answer to print", question.place)
    blocks = (Prose((answer.strip(),)),)
    return (Result("", None, None, None, (), blocks, (), extra={"text": answer.strip()}),)
