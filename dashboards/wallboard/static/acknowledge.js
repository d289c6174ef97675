// A person's browser runs this and a messenger's preview does not: only a person takes an incident on.
document.forms[0].submit();
