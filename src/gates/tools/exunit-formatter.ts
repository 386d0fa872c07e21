/**
 * An ExUnit formatter that writes one JSON object per test to the file that REEVE_EXUNIT_REPORT names. mix has no machine-readable output of its
 * own; the file is written into the report folder and loaded from there, so that the project needs no dependency for it.
 */
export const EXUNIT_FORMATTER_FILE = 'reeve_formatter.ex'

export const EXUNIT_FORMATTER = String.raw`defmodule ReeveFormatter do
  use GenServer

  def init(_options) do
    {:ok, File.open!(System.fetch_env!("REEVE_EXUNIT_REPORT"), [:write, :utf8])}
  end

  def handle_cast({:test_finished, test}, out) do
    {status, failure, message} = state(test)
    write(out, [
      {"module", inspect(test.module)},
      {"name", to_string(test.name)},
      {"file", to_string(Map.get(test.tags, :file, ""))},
      {"line", Map.get(test.tags, :line, 0)},
      {"status", status},
      {"failure", failure},
      {"message", message}
    ])
    {:noreply, out}
  end

  def handle_cast({:module_finished, %{state: {:failed, _}} = module}, out) do
    {_, _, message} = state(module)
    write(out, [{"module", inspect(module.name)}, {"name", "setup_all"}, {"file", to_string(Map.get(module, :file, ""))}, {"line", 0}, {"status", "failed"}, {"failure", "error"}, {"message", message}])
    {:noreply, out}
  end

  def handle_cast({:suite_finished, _times}, out) do
    write(out, [{"done", true}])
    {:noreply, out}
  end

  def handle_cast({:suite_finished, _run, _load}, out) do
    write(out, [{"done", true}])
    {:noreply, out}
  end

  def handle_cast(_event, out), do: {:noreply, out}

  defp state(%{state: nil}), do: {"passed", "", ""}
  defp state(%{state: {:skipped, reason}}), do: {"skipped", "", text(reason)}
  defp state(%{state: {:excluded, reason}}), do: {"skipped", "", text(reason)}
  defp state(%{state: {:invalid, _}}), do: {"failed", "error", "setup_all failed"}

  defp state(%{state: {:failed, failures}}) do
    asserted = Enum.any?(failures, fn {kind, reason, _stack} -> kind == :error and is_map(reason) and Map.get(reason, :__struct__) == ExUnit.AssertionError end)
    message = Enum.map_join(failures, "\n\n", fn {kind, reason, stack} -> Exception.format(kind, reason, stack) end)
    {"failed", if(asserted, do: "assertion", else: "error"), message}
  end

  defp text(reason) when is_binary(reason), do: reason
  defp text(reason), do: inspect(reason)

  defp write(out, pairs) do
    body = Enum.map_join(pairs, ",", fn {key, value} -> quoted(key) <> ":" <> json(value) end)
    IO.puts(out, "{" <> body <> "}")
  end

  defp json(value) when is_binary(value), do: quoted(value)
  defp json(value), do: to_string(value)

  defp quoted(text) do
    text = if String.valid?(text), do: text, else: inspect(text)
    escaped =
      for <<char::utf8 <- text>>, into: "" do
        case char do
          ?" -> "\\\""
          ?\\ -> "\\\\"
          char when char < 0x20 -> "\\u" <> String.pad_leading(Integer.to_string(char, 16), 4, "0")
          char -> <<char::utf8>>
        end
      end

    "\"" <> escaped <> "\""
  end
end
`
