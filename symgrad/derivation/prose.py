"""Questions of kind text: prose that the author wrote, which nothing checks."""

from symgrad.derivation.steps import Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The author's answer in Markdown, word for word, as ``extra["text"]``.

    Raises:
        QuestionError: there is none.
    """
    answer = question.word("answer")
    if answer is None or not answer.strip():
        raise QuestionError("the question has no answer to print", question.place)
    return (Result("", None, None, None, (), (), (), extra={"text": answer.strip()}),)
