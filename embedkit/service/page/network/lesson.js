// The guided tour: five steps, each with its settings and the stage that it explains.

/** `stage` is taken for the first pair; `focus` is the id of what to look at. */
export const LESSON = [
  {
    title: "A neuron is a sum",
    text: "The network has seen nothing yet: all weights are random. Select a neuron, and read its sum below the picture: "
      + "each input times its weight, all added up, plus the bias. Then ReLU sets any negatives to 0. The last neuron "
      + "is the answer: a weight in kilograms, for now a random one.",
    settings: { data: "people", layers: "1", units: "3", activation: "relu", rate: "0.03" },
    stage: "forward",
  },
  {
    title: "The loss says how wrong it is",
    text: "This person's true weight is known. The loss is the squared difference between the answer and the truth. "
      + "Learning means making this one number smaller, for all pairs. Press Next pair a few times: the loss of each pair is different.",
    settings: { data: "people", layers: "1", units: "3", activation: "relu", rate: "0.03" },
    stage: "loss",
  },
  {
    title: "The gradient says which way is down",
    text: "For each weight, the gradient is how much the loss would rise if that weight rose a little. So the weight must "
      + "move the other way. Let the lines show gradients, and select a neuron: its table has a column for them. A neuron that "
      + "ReLU set to 0 has gradients of 0, too.",
    settings: { data: "people", layers: "1", units: "3", activation: "relu", rate: "0.03" },
    stage: "gradient",
  },
  {
    title: "Many small steps",
    text: "Each weight moves against its gradient, by the learning rate times the gradient. One step helps one pair a little. "
      + "Press Run, and watch the mean loss over all pairs fall. Then try three labels: the same steps, with a softmax at the end.",
    settings: { data: "people", layers: "2", units: "3", activation: "tanh", rate: "0.03" },
    stage: "step",
  },
  {
    title: "Steps that are too large",
    text: "Here the learning rate is 3. Press Run: each step jumps over the lowest point and lands higher up on the other side, until the "
      + "numbers are too large for the computer. The page then offers a smaller rate. Too small a rate is no good, either: "
      + "with 0.001, learning takes thirty times as long as with 0.03.",
    settings: { data: "people", layers: "0", units: "3", activation: "relu", rate: "3" },
    stage: "forward",
  },
];
