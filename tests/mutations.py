"""Draw small changes of Python code: a flipped comparison, a statement left out, an empty key."""

import ast
import copy
import random
from collections.abc import Callable, Iterator

Lt, Le, Gt, Ge, Eq, Ne = ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq
OTHER_OPERATORS = {
    Lt: (Le, Ge), Le: (Lt, Gt), Gt: (Ge, Le), Ge: (Gt, Lt), Eq: (Ne,), Ne: (Eq,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitOr: (ast.BitAnd,), ast.And: (ast.Or,),
    ast.BitAnd: (ast.BitOr,), ast.Or: (ast.And,),
}  # fmt: skip
NO_CHANGE = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass)
CONVERSIONS = ("sorted", "set", "list", "tuple", "str", "abs")  # f(x) -> x


def draw(sources: dict[str, str], number: int, seed: int) -> Iterator[tuple[str, int, str, str]]:
    """Yield different mutants of files, drawn uniformly over statements.

    Yields:
        The file, the line, what changed, and the source of the changed file.
    """
    generator, drawn = random.Random(seed), set()
    places = [(f, n) for f, s in sources.items() for n, _ in enumerate(statements(ast.parse(s)))]
    while len(drawn) < number:
        file, n = generator.choice(places)
        tree = ast.parse(sources[file])
        statement = list(statements(tree))[n]
        line, before = statement.lineno, ast.unparse(statement).partition("\n")[0]
        generator.choice(list(changes(statement)))()
        change = f"{before} -> {ast.unparse(statement).partition(chr(10))[0]}"
        source = ast.unparse(ast.fix_missing_locations(tree))
        if (file, source) not in drawn and source != ast.unparse(ast.parse(sources[file])):
            drawn.add((file, source))
            yield file, line, change, source


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that can be changed: no docstring, import or type-checking block."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
        if isinstance(node, ast.stmt) and not isinstance(node, NO_CHANGE):
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not text and any(changes(node)):
                yield node


def own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield a statement's expressions: no annotation, no text of an error, no inner statement."""
    fields = [statement.args] if hasattr(statement, "args") else [statement]
    if isinstance(statement, ast.Raise | ast.ClassDef):
        return
    while fields:
        node = fields.pop()
        if isinstance(node, ast.expr):
            yield node
        for name, value in ast.iter_fields(node):
            children = value if isinstance(value, list) else [value]
            strict = isinstance(node, ast.keyword) and node.arg == "strict"  # checks ourselves
            if name not in ("annotation", "returns", "decorator_list") and not strict:
                fields += [c for c in children if isinstance(c, ast.AST)
                           and not isinstance(c, ast.stmt | ast.arg)]  # fmt: skip


def changes(statement: ast.stmt) -> Iterator[Callable[[], None]]:
    """Yield functions, each of which makes one change in a statement."""
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    targets = getattr(statement, "targets", [None])
    stores = isinstance(statement, ast.Assign) and not isinstance(targets[0], ast.Name | ast.Tuple)
    if is_call or stores or isinstance(statement, ast.Raise):
        yield lambda: become(statement, ast.Pass())
    if isinstance(statement, ast.Break | ast.Continue):
        other = ast.Continue if isinstance(statement, ast.Break) else ast.Break
        yield lambda: become(statement, other())
    if isinstance(statement, ast.Return) and statement.value is not None:
        yield lambda: setattr(statement, "value", ast.Constant(None))
    if isinstance(statement, ast.AugAssign):
        yield lambda: become(statement, ast.Assign([statement.target], statement.value, lineno=0))
    for node in own_expressions(statement):
        yield from changes_of_expression(node)
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        yield lambda: setattr(statement, "test", ast.UnaryOp(ast.Not(), statement.test))


def changes_of_expression(node: ast.expr) -> Iterator[Callable[[], None]]:
    """Yield functions, each of which makes one change in an expression."""
    if isinstance(node, ast.Compare):
        for n, operator in enumerate(node.ops):
            for other in OTHER_OPERATORS[type(operator)]:
                yield lambda n=n, other=other: node.ops.__setitem__(n, other())
    if isinstance(node, ast.BoolOp | ast.BinOp):
        for other in OTHER_OPERATORS.get(type(node.op), ()):
            yield lambda other=other: setattr(node, "op", other())
    if isinstance(node, ast.BoolOp):
        yield from (lambda n=n: node.values.pop(n) for n in range(len(node.values)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda: become(node, node.operand)
    if isinstance(node, ast.IfExp):
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda: setattr(node, "value", node.value + 1)
        yield lambda: setattr(node, "value", node.value - 1)
    if isinstance(node, ast.Subscript) and is_text(node.slice):
        yield lambda: setattr(node.slice, "value", "")
    if isinstance(node, ast.Call):
        named = [n for n, keyword in enumerate(node.keywords) if keyword.arg != "strict"]
        yield from (lambda n=n: node.keywords.pop(n) for n in named)
        if getattr(node.func, "id", "") in CONVERSIONS and node.args:
            yield lambda: become(node, node.args[0])
        if getattr(node.func, "attr", "") == "get" and is_text(node.args[0]):
            yield lambda: setattr(node.args[0], "value", "")
    for loop in getattr(node, "generators", ()):
        yield from (lambda n=n, loop=loop: loop.ifs.pop(n) for n in range(len(loop.ifs)))
    if isinstance(node, ast.Dict):
        yield from (lambda k=k: setattr(k, "value", "") for k in node.keys if is_text(k))


def is_text(node: ast.AST | None) -> bool:
    """Return whether a node is a text that is written out."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node of a tree into another one, in place."""
    node.__class__, node.__dict__ = other.__class__, node.__dict__ | copy.copy(other.__dict__)
