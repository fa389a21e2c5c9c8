"""Operations: is it well, what does it use. Models, usage and costs of OpenAI join later."""
